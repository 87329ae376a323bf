package info

import (
	"slices"
	"strings"
)

// unresolved lists the transactions that aren't settled: of the keyspace that FOR
// names or the session has, else all.
func (r *request) unresolved() (*answer, error) {
	ks := r.show.Name
	if ks == "" {
		ks = r.Keyspace
	} else if !slices.Contains(r.keyspaces(), ks) {
		return nil, fail(errNoDatabase, "unknown keyspace %q", ks)
	}
	return r.transactions(func(t Transaction) bool {
		return ks == "" || slices.ContainsFunc(t.Participants, func(s Shard) bool { return s.Keyspace == ks })
	})
}

// transactionStatus tells of one; no row says that it is settled, or never was.
func (r *request) transactionStatus() (*answer, error) {
	if r.show.Name == "" {
		return nil, fail(errSyntax, "SHOW TRANSACTION STATUS needs FOR and the transaction's ID, as the error about it gives it")
	}
	return r.transactions(func(t Transaction) bool { return t.DTID == r.show.Name })
}

func (r *request) transactions(which func(Transaction) bool) (*answer, error) {
	a := &answer{columns: []string{"dtid", "state", "record_time", "participants"}}
	if r.Transactions == nil {
		return a, nil
	}
	list, err := r.Transactions()
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if !which(t) {
			continue
		}
		var parts []string
		for _, s := range t.Participants {
			parts = append(parts, s.Keyspace+":"+s.Name)
		}
		a.add(t.DTID, t.State, t.Since.UTC().Format("2006-01-02 15:04:05"), strings.Join(parts, ","))
	}
	return a, nil
}
