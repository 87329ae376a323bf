// Package cluster runs a PostgreSQL server for tests, which it installs on Debian where it
// isn't there.
package cluster
