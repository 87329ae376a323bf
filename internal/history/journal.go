package history

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Journal writes down what is recorded, before it is done where that may have an
// effect, so that another process knows it when this one has crashed. It is safe
// for concurrent use.
type Journal struct {
	mu sync.Mutex
	w  io.Writer
}

// NewJournal makes one that writes a line per event, each by one call of Write.
func NewJournal(w io.Writer) *Journal { return &Journal{w: w} }

func (j *Journal) note(format string, args ...any) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := fmt.Fprintf(j.w, format+"\n", args...); err != nil {
		panic("history: the journal can't be written: " + err.Error())
	}
}

// ReadJournal gives the transactions of a journal, of which the last line may be
// torn. What has no end is of unknown outcome: it counts if somebody saw it.
func ReadJournal(r io.Reader) ([]*Txn, error) {
	open := map[int64]*Txn{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF { // what is there of a line is torn
			break
		}
		if err != nil {
			return nil, err
		}
		if err := readEvent(open, strings.TrimSuffix(line, "\n")); err != nil {
			return nil, err
		}
	}
	out := make([]*Txn, 0, len(open))
	for _, t := range open {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *Txn) int { return cmp.Compare(a.Start, b.Start) })
	return out, nil
}

func readEvent(open map[int64]*Txn, line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	var id int64
	var key, value int
	var list string
	var err error
	switch kind {
	case "begin":
		if _, err = fmt.Sscan(rest, &id, &value); err == nil {
			open[id] = &Txn{Process: value, Start: id, id: id}
		}
	case "append":
		if _, err = fmt.Sscan(rest, &id, &key, &value); err == nil && open[id] != nil {
			open[id].Append(key, value)
		}
	case "read":
		if _, err = fmt.Sscan(rest, &id, &key, &list); err == nil && open[id] != nil {
			var values []int
			if values, err = parseList(list); err == nil {
				open[id].Read(key, values)
			}
		}
	case "end":
		var end int64
		if _, err = fmt.Sscan(rest, &id, &end, &value); err == nil && open[id] != nil {
			open[id].End, open[id].Status = end, Status(value)
		}
	default:
		err = fmt.Errorf("%q is unknown", kind)
	}
	if err == nil && open[id] == nil {
		err = fmt.Errorf("transaction %d has not begun", id)
	}
	if err != nil {
		return fmt.Errorf("history: the line %q of the journal: %w", line, err)
	}
	return nil
}

// After moves transactions behind others, as those of a process that was started
// when the others had ended; their clients get numbers of their own.
func After(others, txns []*Txn) []*Txn {
	var last int64
	clients := 0
	for _, t := range others {
		last, clients = max(last, t.Start, t.End), max(clients, t.Process+1)
	}
	for _, t := range txns {
		t.Start, t.Process = t.Start+last, t.Process+clients
		if t.End > 0 {
			t.End += last
		}
	}
	return append(others, txns...)
}
