package dialect

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// Printers print for the shards of a keyspace, one for each dialect that some of them
// speak. A statement may go to any shard: what one engine can't express is refused for
// all of them.
type Printers []Printer

// Each makes a text of what print gives for each dialect.
func (ps Printers) Each(print func(Printer) (Text, error)) (Text, error) {
	first, err := print(ps[0])
	if err != nil || len(ps) == 1 {
		return first, err
	}
	first.Also = make([]Text, len(ps)-1)
	for i, p := range ps[1:] {
		if first.Also[i], err = print(p); err != nil {
			return Text{}, err
		}
	}
	return first, nil
}

// Strings is Each for texts without list slots.
func (ps Printers) Strings(print func(Printer) (string, error)) (Text, error) {
	return ps.Each(func(p Printer) (Text, error) {
		s, err := print(p)
		return Whole(s), err
	})
}

// Stmt is [Printer.Stmt].
func (ps Printers) Stmt(s sqlast.Stmt) (Text, error) {
	if len(ps) == 1 {
		return ps[0].Stmt(s)
	}
	return ps.Each(func(p Printer) (Text, error) { return p.Stmt(s) })
}

// Lifting is [Printer.Lifting].
func (ps Printers) Lifting(constant func(sql string) int) Printers {
	out := make(Printers, len(ps))
	for i, p := range ps {
		out[i] = p.Lifting(constant)
	}
	return out
}

// Script makes statements of what print gives for each dialect. They are run in order;
// a dialect that needs fewer of them than another has empty texts at the end.
func (ps Printers) Script(print func(Printer) ([]string, error)) ([]Text, error) {
	var out []Text
	for i, p := range ps {
		list, err := print(p)
		if err != nil {
			return nil, err
		}
		for len(out) < len(list) {
			out = append(out, Text{Also: make([]Text, len(ps)-1)})
		}
		for k, text := range list {
			out[k].In(i).Segments = []string{text}
		}
	}
	return out, nil
}
