package service

import "net"

// Exposed says whether others than this machine's own programs can reach an address
// that a server listens on.
func Exposed(address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback()), nil
}
