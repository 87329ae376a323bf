package status

import (
	"fmt"
	"io"
	"strings"

	"github.com/vitessdo/vitessdo/internal/present"
)

// barWidth is that of the longest bar.
const barWidth = 30

// Grid gives a row per table and shard.
func (s *Status) Grid() *present.Grid {
	g := &present.Grid{Head: []string{"keyspace", "table", "sharding", "shard", "rows"}}
	for _, k := range s.Keyspaces {
		for _, t := range k.Tables {
			for i, n := range t.Rows {
				g.Add(k.Name, t.Name, t.Sharding, k.Shards[i].Name, n)
			}
		}
	}
	return g
}

// Text writes it for people.
func (s *Status) Text(w io.Writer) error {
	var b strings.Builder
	shards := 0
	for _, k := range s.Keyspaces {
		shards += len(k.Shards)
	}
	fmt.Fprintf(&b, "%s: %s\n", s.Source, present.Count(int64(shards), "shard"))
	for i := range s.Keyspaces {
		s.Keyspaces[i].text(&b)
	}
	if len(s.Files) > 0 {
		b.WriteString("\n")
		for _, f := range s.Files {
			fmt.Fprintf(&b, "%-12s %8s\n", f.Name, present.Size(f.Bytes))
		}
	}
	b.WriteString("\n")
	if len(s.InDoubt) == 0 {
		b.WriteString("no transaction is in doubt\n")
	}
	for _, t := range s.InDoubt {
		fmt.Fprintf(&b, "in doubt: %s, %s since %s on %s\n", t.DTID, t.State, t.Since, t.Participants)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (k *Keyspace) text(b *strings.Builder) {
	names := make([]string, len(k.Shards))
	rows, notes := make([]int64, len(k.Shards)), make([]string, len(k.Shards))
	for i, s := range k.Shards {
		names[i], rows[i] = s.Name, s.Rows
		if s.Bytes >= 0 {
			notes[i] = present.Size(s.Bytes)
		}
	}
	fmt.Fprintf(b, "\nkeyspace %s\n", k.Name)
	chart(b, names, rows, notes)
	for _, t := range k.Tables {
		fmt.Fprintf(b, "\n  %s, %s: %s", t.Name, t.Sharding, present.Count(t.Total, "row"))
		switch {
		case t.Skew > 0:
			fmt.Fprintf(b, ", skew %.2f", t.Skew)
		case t.Sharding == "reference":
			b.WriteString(" in every copy")
		}
		b.WriteString("\n")
		if t.Skew > 0 {
			chart(b, names, t.Rows, nil)
		}
	}
}

// chart draws a bar for each number, with a note in front where there is one.
func chart(b *strings.Builder, names []string, numbers []int64, notes []string) {
	most, wide, wideNumber, wideNote := int64(0), 0, 0, 0
	for i, n := range numbers {
		most = max(most, n)
		wide, wideNumber = max(wide, len(names[i])), max(wideNumber, len(present.Thousands(n)))
		if notes != nil {
			wideNote = max(wideNote, len(notes[i])+2)
		}
	}
	for i, n := range numbers {
		note := ""
		if notes != nil {
			note = fmt.Sprintf("%*s", wideNote, notes[i])
		}
		line := fmt.Sprintf("    %-*s%s  %*s  %s", wide, names[i], note, wideNumber, present.Thousands(n), present.Bar(n, most, barWidth))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
