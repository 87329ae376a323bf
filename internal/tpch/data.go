package tpch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config says what to generate. The same Config gives the same rows.
type Config struct {
	Seed uint64
	// Scale is the specification's scale factor: 1 is 1.5 million orders. No
	// table gets smaller than its queries need, see sizes.
	Scale float64
	// Favour is the probability, beyond the specification's, with which a value
	// that a query asks for is drawn.
	Favour float64
}

// Tiny is small enough for every day, and has rows in every answer.
var Tiny = Config{Seed: 29, Scale: 0.001, Favour: 0.2}

// Small follows the specification's distributions; a few answers are empty.
var Small = Config{Seed: 1, Scale: 0.01}

// Emit takes a row. It may keep it.
type Emit func(table string, row []any) error

// sizes are the rows of the tables that the others follow from.
type sizes struct{ suppliers, parts, customers, orders int }

func (c Config) sizes() sizes {
	n := func(full, least int) int { return max(int(float64(full)*c.Scale), least) }
	return sizes{n(10_000, 10), n(200_000, 40), n(150_000, 30), n(1_500_000, 100)}
}

// source draws values.
type source struct {
	*rand.Rand
	sizes
	favour float64
}

func (s *source) between(lo, hi int) int { return lo + s.IntN(hi-lo+1) }

func pick[T any](s *source, list []T) T { return list[s.IntN(len(list))] }

// favoured draws one of the wanted values with the probability of Favour, else
// whatever draw gives.
func favoured[T any](s *source, draw func() T, wanted ...T) T {
	if s.favour > 0 && s.Float64() < s.favour {
		return pick(s, wanted)
	}
	return draw()
}

// cents writes an amount of money as decimal text.
func cents(n int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

func (s *source) words(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = pick(s, textWords)
	}
	return strings.Join(list, " ")
}

func (s *source) phone(nation int) string {
	return fmt.Sprintf("%d-%03d-%03d-%04d", nation+10, s.between(100, 999), s.between(100, 999), s.between(1000, 9999))
}

// Generate makes all rows, parents before children.
func (c Config) Generate(emit Emit) error {
	s := &source{Rand: rand.New(rand.NewPCG(c.Seed, 0x7063682d)), sizes: c.sizes(), favour: c.Favour}
	for _, part := range []func(Emit) error{s.places, s.makeSuppliers, s.makeParts, s.makeCustomers, s.makeOrders} {
		if err := part(emit); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) places(emit Emit) error {
	for i, name := range regions {
		if err := emit("region", []any{i, name, s.words(6)}); err != nil {
			return err
		}
	}
	for i, n := range nations {
		if err := emit("nation", []any{i, n.name, n.region, s.words(6)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) nation(wanted ...string) int {
	var keys []int
	for _, name := range wanted {
		keys = append(keys, slices.IndexFunc(nations, func(n nation) bool { return n.name == name }))
	}
	return favoured(s, func() int { return s.IntN(len(nations)) }, keys...)
}

func (s *source) makeSuppliers(emit Emit) error {
	for key := 1; key <= s.suppliers; key++ {
		at := s.nation("GERMANY", "FRANCE", "CANADA", "SAUDI ARABIA", "INDIA", "CHINA")
		comment := s.words(8)
		// The specification has 5 complaints in 10 000.
		if key%2000 == 500 || s.favour > 0 && key%5 == 3 {
			comment = s.words(2) + " Customer " + s.words(1) + " Complaints " + s.words(2)
		}
		row := []any{key, fmt.Sprintf("Supplier#%09d", key), s.words(2), at, s.phone(at), cents(s.between(-99999, 999999)), comment}
		if err := emit("supplier", row); err != nil {
			return err
		}
	}
	return nil
}

// retailPrice is a part's price in cents, a function of its key.
func retailPrice(part int) int { return 90000 + (part/10)%20001 + 100*(part%1000) }

// supplierOf is the i-th, from 0, of the four suppliers of a part. The
// specification's formula would name one twice where suppliers are few; below
// 100 a part's suppliers are so far apart that they can't meet.
func (s *source) supplierOf(part, i int) int {
	step := (part - 1) / s.suppliers
	if s.suppliers < 100 {
		step %= max(s.suppliers/3-s.suppliers/4, 1)
	}
	return (part+i*(s.suppliers/4+step))%s.suppliers + 1
}

func (s *source) makeParts(emit Emit) error {
	for key := 1; key <= s.parts; key++ {
		if err := emit("part", s.part(key)); err != nil {
			return err
		}
		for i := range 4 {
			row := []any{key, s.supplierOf(key, i), s.between(1, 9999), cents(s.between(100, 100000)), s.words(10)}
			if err := emit("partsupp", row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *source) part(key int) []any {
	name := make([]string, 0, 5)
	first := favoured(s, func() string { return pick(s, colours) }, "forest", "green")
	for w := first; len(name) < 5; w = pick(s, colours) {
		if !slices.Contains(name, w) {
			name = append(name, w)
		}
	}
	maker := s.between(1, 5)
	brand := favoured(s, func() int { return maker*10 + s.between(1, 5) }, 12, 23, 34)
	kind := favoured(s, func() string { return pick(s, typeSizes) + " " + pick(s, typeFinishes) + " " + pick(s, typeMetals) },
		"ECONOMY ANODIZED STEEL", "STANDARD POLISHED BRASS", "PROMO BURNISHED COPPER")
	size := favoured(s, func() int { return s.between(1, 50) }, 15, 3, 5, 9, 14)
	box := favoured(s, func() string { return pick(s, boxSizes) + " " + pick(s, boxKinds) }, "MED BOX", "SM CASE", "LG PKG", "MED BAG")
	return []any{key, strings.Join(name, " "), "Manufacturer#" + strconv.Itoa(brand/10), "Brand#" + strconv.Itoa(brand), kind, size, box,
		cents(retailPrice(key)), s.words(2)}
}

func (s *source) makeCustomers(emit Emit) error {
	for key := 1; key <= s.customers; key++ {
		at := s.nation("GERMANY", "FRANCE", "BRAZIL", "INDIA", "CHINA")
		segment := favoured(s, func() string { return pick(s, segments) }, "BUILDING")
		row := []any{key, fmt.Sprintf("Customer#%09d", key), s.words(2), at, s.phone(at), cents(s.between(-99999, 999999)), segment, s.words(8)}
		if err := emit("customer", row); err != nil {
			return err
		}
	}
	return nil
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

var (
	firstDay   = date(1992, time.January, 1)
	lastDay    = date(1998, time.December, 31)
	currentDay = date(1995, time.June, 17)
	orderDays  = int(lastDay.Sub(firstDay)/(24*time.Hour)) - 151
)

func day(t time.Time) string { return t.Format(time.DateOnly) }

// line is what an order must know of its lines.
type line struct {
	row   []any
	price int // with tax and discount, in hundredths of cents
	open  bool
}

func (s *source) makeOrders(emit Emit) error {
	for i := range s.orders {
		key := i/8*32 + i%8 + 1 // a quarter of the keys is used
		customer := s.between(1, s.customers)
		for customer%3 == 0 { // a third of the customers orders nothing
			customer = s.between(1, s.customers)
		}
		at := firstDay.AddDate(0, 0, s.IntN(orderDays+1))
		large := s.favour > 0 && i%100 == 7 // more than 300 pieces
		lines := make([]line, s.between(1, 7))
		if large {
			lines = make([]line, 7)
		}
		total, open := 0, 0
		for n := range lines {
			lines[n] = s.line(key, n+1, at, large)
			total += lines[n].price
			if lines[n].open {
				open++
			}
		}
		status := "P"
		switch open {
		case 0:
			status = "F"
		case len(lines):
			status = "O"
		}
		comment := s.words(6)
		if s.IntN(100) == 0 || s.favour > 0 && s.IntN(10) == 0 {
			comment = s.words(2) + " special " + s.words(1) + " requests " + s.words(1)
		}
		row := []any{key, customer, status, cents((total + 5000) / 10000), day(at), pick(s, priorities),
			fmt.Sprintf("Clerk#%09d", s.between(1, max(s.orders/1500, 1))), 0, comment}
		if err := emit("orders", row); err != nil {
			return err
		}
		for _, l := range lines {
			if err := emit("lineitem", l.row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *source) line(order, number int, ordered time.Time, large bool) line {
	part := s.between(1, s.parts)
	supplier := s.supplierOf(part, s.IntN(4))
	quantity := s.between(1, 50)
	if large {
		quantity = s.between(44, 50)
	}
	extended := quantity * retailPrice(part)
	discount, tax := s.between(0, 10), s.between(0, 8)
	shipped := ordered.AddDate(0, 0, s.between(1, 121))
	committed := ordered.AddDate(0, 0, s.between(30, 90))
	received := shipped.AddDate(0, 0, s.between(1, 30))
	returned, status := "N", "F"
	if !received.After(currentDay) {
		returned = pick(s, []string{"R", "A"})
	}
	if shipped.After(currentDay) {
		status = "O"
	}
	how := favoured(s, func() string { return pick(s, instructions) }, "DELIVER IN PERSON")
	mode := favoured(s, func() string { return pick(s, modes) }, "AIR", "MAIL", "SHIP")
	return line{open: status == "O", price: extended * (100 + tax) * (100 - discount),
		row: []any{order, part, supplier, number, quantity, cents(extended), cents(discount), cents(tax), returned, status,
			day(shipped), day(committed), day(received), how, mode, s.words(4)}}
}
