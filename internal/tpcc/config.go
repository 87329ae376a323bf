package tpcc

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Config says how large the database is and how often its transactions leave
// their warehouse. The specification's numbers are in the comments.
type Config struct {
	Seed       uint64
	Warehouses int
	Districts  int // of a warehouse: 10
	Customers  int // of a district, and orders at first: 3000
	Items      int // 100 000
	// RemoteItems is how many of a hundred order lines are supplied by another
	// warehouse: 1; RemotePayments how many payments are made to one: 15.
	RemoteItems, RemotePayments int
}

// Tiny is a small database with much traffic between warehouses.
var Tiny = Config{Seed: 1, Warehouses: 5, Districts: 4, Customers: 30, Items: 100, RemoteItems: 5, RemotePayments: 15}

// delivered says how many of a district's first orders are delivered: 2100.
func (c Config) delivered() int { return c.Customers * 7 / 10 }

// lastNames is how many different last names a district's customers have.
func (c Config) lastNames() int { return max(c.Customers/3, 1) }

// source draws values for one terminal, or for loading.
type source struct {
	*rand.Rand
	c Config
}

func (c Config) source(stream int) *source {
	return &source{rand.New(rand.NewPCG(c.Seed, uint64(stream))), c}
}

func (s *source) between(lo, hi int) int { return lo + s.IntN(hi-lo+1) }

func (s *source) percent(n int) bool { return s.IntN(100) < n }

// uneven is the specification's NURand with its constant 0.
func (s *source) uneven(a, lo, hi int) int {
	return (s.between(0, a)|s.between(lo, hi))%(hi-lo+1) + lo
}

func (s *source) customer() int { return s.uneven(1023, 1, s.c.Customers) }

func (s *source) item() int { return s.uneven(8191, 1, s.c.Items) }

// otherWarehouse draws one that isn't w, unless there is no other.
func (s *source) otherWarehouse(w int) int {
	if s.c.Warehouses == 1 {
		return w
	}
	return (w-1+s.between(1, s.c.Warehouses-1))%s.c.Warehouses + 1
}

var syllables = []string{"BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING"}

func lastName(n int) string { return syllables[n/100%10] + syllables[n/10%10] + syllables[n%10] }

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func (s *source) text(lo, hi int) string {
	b := make([]byte, s.between(lo, hi))
	for i := range b {
		b[i] = letters[s.IntN(len(letters))]
	}
	return string(b)
}

// data is a text that says ORIGINAL once in ten times.
func (s *source) data() string {
	t := s.text(26, 50)
	if s.percent(10) {
		t = t[:8] + "ORIGINAL" + t[16:]
	}
	return t
}

// money is an amount between lo and hi cents as decimal text.
func (s *source) money(lo, hi int) string {
	n := s.between(lo, hi)
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

// loadTime is when everything was entered that no transaction has.
var loadTime = time.Date(2024, time.January, 1, 12, 0, 0, 0, time.UTC)
