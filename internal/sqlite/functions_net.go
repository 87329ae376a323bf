package sqlite

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

var netFunctions = []function{
	{"inet_aton", []int{1}, strict(inetAton)},
	{"inet_ntoa", []int{1}, strict(inetNtoa)},
	{"inet6_aton", []int{1}, strict(inet6Aton)},
	{"inet6_ntoa", []int{1}, strict(inet6Ntoa)},
	{"is_ipv4", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		addr, err := netip.ParseAddr(a[0].Text())
		c.ResultBool(err == nil && addr.Is4())
	})},
	{"is_ipv6", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		addr, err := netip.ParseAddr(a[0].Text())
		c.ResultBool(err == nil && addr.Is6() && addr.Zone() == "")
	})},
	{"is_ipv4_compat", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		b := a[0].RawBlob()
		c.ResultBool(len(b) == 16 && bytes.Equal(b[:12], make([]byte, 12)) && binary.BigEndian.Uint32(b[12:]) > 1)
	})},
	{"is_ipv4_mapped", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		addr, ok := netip.AddrFromSlice(a[0].RawBlob())
		c.ResultBool(ok && addr.Is4In6())
	})},
	{"is_uuid", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		_, ok := parseUUID(a[0].Text())
		c.ResultBool(ok)
	})},
	{"uuid_to_bin", []int{1, 2}, strict(uuidToBin)},
	{"bin_to_uuid", []int{1, 2}, strict(binToUUID)},
}

// inetAton takes short forms too: 127.1 is 127.0.0.1.
func inetAton(ctx sqlite3.Context, arg ...sqlite3.Value) {
	parts := strings.Split(arg[0].Text(), ".")
	if len(parts) > 4 {
		return
	}
	addr := int64(0)
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil {
			return
		}
		if i == len(parts)-1 {
			addr <<= 8 * (4 - len(parts))
		}
		addr = addr<<8 | int64(n)
	}
	ctx.ResultInt64(addr)
}

func inetNtoa(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n := arg[0].Int64()
	if n < 0 || n > 0xffffffff {
		return
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(n))
	ctx.ResultText(netip.AddrFrom4(b).String())
}

func inet6Aton(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if addr, err := netip.ParseAddr(arg[0].Text()); err == nil && addr.Zone() == "" {
		ctx.ResultBlob(addr.AsSlice())
	}
}

func inet6Ntoa(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if addr, ok := netip.AddrFromSlice(arg[0].RawBlob()); ok {
		ctx.ResultText(addr.String())
	}
}

// parseUUID takes 32 hex digits, with hyphens in the usual places or none, in
// braces or not.
func parseUUID(s string) ([]byte, bool) {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(s) != 32 || strings.Contains(s, "-") {
		return nil, false
	}
	b, err := hex.DecodeString(s)
	return b, err == nil
}

// uuidToBin with a true second argument puts the time's high part first, so
// that version 1 UUIDs sort by time.
func uuidToBin(ctx sqlite3.Context, arg ...sqlite3.Value) {
	b, ok := parseUUID(arg[0].Text())
	if !ok {
		return
	}
	if optInt(arg, 1, 0) != 0 {
		b = append(append(append(append([]byte{}, b[6:8]...), b[4:6]...), b[0:4]...), b[8:]...)
	}
	ctx.ResultBlob(b)
}

func binToUUID(ctx sqlite3.Context, arg ...sqlite3.Value) {
	b := arg[0].Blob(nil)
	if len(b) != 16 {
		return
	}
	if optInt(arg, 1, 0) != 0 {
		b = append(append(append(append([]byte{}, b[4:8]...), b[2:4]...), b[0:2]...), b[8:]...)
	}
	h := hex.EncodeToString(b)
	ctx.ResultText(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}
