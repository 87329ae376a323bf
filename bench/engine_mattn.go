//go:build mattn

package main

import (
	"net/url"

	_ "github.com/mattn/go-sqlite3" // registers "sqlite3"
)

const engineName = "mattn"

// engineDSN opens a file in WAL mode at a synchronous level.
func engineDSN(path, synchronous string) string {
	q := url.Values{"_busy_timeout": {"10000"}, "_journal_mode": {"wal"}, "_synchronous": {synchronous}}
	return "file:" + path + "?" + q.Encode()
}
