//go:build !mattn

package main

import (
	"net/url"

	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"
)

const engineName = "ncruces"

// engineDSN opens a file in WAL mode at a synchronous level.
func engineDSN(path, synchronous string) string {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(" + synchronous + ")"}}
	return "file:" + path + "?" + q.Encode()
}
