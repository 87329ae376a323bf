package main

import (
	"strings"
	"testing"
)

func TestProgressBar(t *testing.T) {
	var b strings.Builder
	p := newProgress(&console{out: &b, live: true}, "rows", 4)
	p.at(2)
	p.at(4)
	p.end()
	if want := "[##############################] 100%  4 of 4 rows  \n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%q", b.String())
	}
}
