package info

import "slices"

func (r *request) variables() (*answer, error) {
	a := &answer{columns: []string{"Variable_name", "Value"}}
	if r.Variables != nil {
		for _, v := range r.Variables(r.show.Global) {
			a.add(v.Name, v.Value)
		}
	}
	slices.SortFunc(a.rows, func(x, y []any) int {
		if x[0].(string) < y[0].(string) {
			return -1
		}
		return 1
	})
	return a, nil
}

func (r *request) status() (*answer, error) {
	a := &answer{columns: []string{"Variable_name", "Value"}}
	for _, v := range r.Status {
		a.add(v.Name, v.Value)
	}
	return a, nil
}

// processlist shows the session itself: what others do, no session is told.
func (r *request) processlist() (*answer, error) {
	return &answer{columns: []string{"Id", "User", "Host", "db", "Command", "Time", "State", "Info"}, rows: r.processRows()}, nil
}

// grants: there are no accounts, and whoever has opened the database may do
// everything.
func (r *request) grants() (*answer, error) {
	a := &answer{columns: []string{"Grants for root@localhost"}}
	a.add("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION")
	return a, nil
}

func (r *request) warnings() (*answer, error) {
	a := &answer{columns: []string{"Level", "Code", "Message"}}
	for _, w := range r.Warnings {
		a.add(w.Level, int64(w.Code), w.Message)
	}
	return a, nil
}

func (r *request) errors() (*answer, error) {
	a, _ := r.warnings()
	a.rows = slices.DeleteFunc(a.rows, func(row []any) bool { return row[0] != "Error" })
	return a, nil
}

func (r *request) countWarnings() (*answer, error) {
	a := &answer{columns: []string{"@@session.warning_count"}}
	a.add(int64(len(r.Warnings)))
	return a, nil
}

func (r *request) countErrors() (*answer, error) {
	errs, _ := r.errors()
	a := &answer{columns: []string{"@@session.error_count"}}
	a.add(int64(len(errs.rows)))
	return a, nil
}

// InnoDB is what MySQL tools ask for; the shards' engine is SQLite.
var engines = answer{
	columns: []string{"Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"},
	rows: [][]any{
		{"InnoDB", "DEFAULT", "Sharded SQLite: transactions, row-level routing and foreign keys", "YES", "YES", "YES"},
	},
}

var charsets = answer{
	columns: []string{"Charset", "Description", "Default collation", "Maxlen"},
	rows: [][]any{
		{"ascii", "US ASCII", "ascii_bin", int64(1)},
		{"binary", "Binary pseudo charset", "binary", int64(1)},
		{"utf8mb3", "UTF-8 Unicode", "utf8mb3_bin", int64(3)},
		{"utf8mb4", "UTF-8 Unicode", "utf8mb4_bin", int64(4)},
	},
}

var collations = answer{
	columns: []string{"Collation", "Charset", "Id", "Default", "Compiled", "Sortlen", "Pad_attribute"},
	rows: [][]any{
		{"ascii_bin", "ascii", int64(65), "Yes", "Yes", int64(1), "NO PAD"},
		{"ascii_general_ci", "ascii", int64(11), "", "Yes", int64(1), "NO PAD"},
		{"binary", "binary", int64(63), "Yes", "Yes", int64(1), "NO PAD"},
		{"utf8mb3_bin", "utf8mb3", int64(83), "Yes", "Yes", int64(1), "NO PAD"},
		{"utf8mb3_general_ci", "utf8mb3", int64(33), "", "Yes", int64(1), "NO PAD"},
		{"utf8mb3_unicode_ci", "utf8mb3", int64(192), "", "Yes", int64(1), "NO PAD"},
		{"utf8mb4_0900_ai_ci", "utf8mb4", int64(255), "", "Yes", int64(1), "NO PAD"},
		{"utf8mb4_0900_bin", "utf8mb4", int64(309), "", "Yes", int64(1), "NO PAD"},
		{"utf8mb4_bin", "utf8mb4", int64(46), "Yes", "Yes", int64(1), "NO PAD"},
		{"utf8mb4_general_ci", "utf8mb4", int64(45), "", "Yes", int64(1), "NO PAD"},
		{"utf8mb4_unicode_520_ci", "utf8mb4", int64(246), "", "Yes", int64(1), "NO PAD"},
		{"utf8mb4_unicode_ci", "utf8mb4", int64(224), "", "Yes", int64(1), "NO PAD"},
	},
}
