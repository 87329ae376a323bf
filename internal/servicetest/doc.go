// Package servicetest is what the tests of servers share: a server that runs in the
// test's own process until the test ends, and a certificate for this machine.
//
//	Start(run)   run ──▶ "… at ADDRESS" on its output ──▶ the address, and what ends it
//	Certificate  ──▶ PEM files for a server, which its clients may also trust
package servicetest
