// Package contract holds the tests of what package tablet promises: whoever makes
// a tablet, or carries one over a wire, runs them against it.
//
//	Run(t, open, options) ──▶ a fresh tablet for each test ──▶ values, writes, streams, transactions, …
package contract
