package service

import (
	"net"
	"net/http"
	"strings"
)

// Exposed says whether others than this machine's own programs can reach an address
// that a server listens on.
func Exposed(address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	return err == nil && !Local(host), err
}

// Local says whether a host, with a port or without, is this machine's own name or
// address.
func Local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// LocalOnly answers under this machine's own names only, for servers that ask nobody who
// he is: another name that leads here would let the web pages of whoever owns it in.
func LocalOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Local(r.Host) {
			http.Error(w, "without tokens this server answers under localhost and loopback addresses only: give --tokens FILE, or --open if everybody may come in", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
