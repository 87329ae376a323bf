package exec

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/route"
)

const (
	// sortMemory is what is sorted in memory; more goes through a scratch
	// database, which spills to disk.
	sortMemory = 64 << 20
	// topRows is up to which LIMIT only the first rows are kept.
	topRows = 1 << 16
)

// sorted gives the rows of src, which it closes, in order. When top isn't -1,
// no more than so many are asked for.
func sorted(ctx context.Context, src source, keys []route.SortKey, top int64, m *meter) (source, error) {
	return sortedWithin(ctx, src, keys, top, m, sortMemory)
}

func sortedWithin(ctx context.Context, src source, keys []route.SortKey, top int64, m *meter, memory int64) (_ source, err error) {
	defer func() {
		if cerr := src.close(); err == nil {
			err = cerr
		}
	}()
	if top > topRows {
		top = -1
	}
	var rows [][]any
	for size := int64(0); size <= memory; {
		row, err := src.next()
		if err == io.EOF {
			sortRows(rows, keys)
			return &kept{rows: rows}, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, keep(row))
		if top >= 0 {
			if int64(len(rows)) >= 2*top+1024 {
				sortRows(rows, keys)
				clear(rows[top:])
				rows = rows[:top]
			}
			continue
		}
		n := rowSize(row)
		size += n
		if err := m.add(1, n, "ORDER BY over joined rows"); err != nil {
			return nil, err
		}
	}
	return sortOnDisk(ctx, rows, src, keys, m)
}

// sortOnDisk sorts rows and those that still come.
func sortOnDisk(ctx context.Context, rows [][]any, src source, keys []route.SortKey, m *meter) (source, error) {
	sc, err := takeScratch(ctx)
	if err != nil {
		return nil, err
	}
	width := len(rows[0])
	if err := sc.fill(ctx, m, func() error { return fillUntyped(sc, width, &chained{kept: kept{rows: rows}, rest: src}, m, len(rows)) }); err != nil {
		sc.release()
		return nil, err
	}
	var b strings.Builder
	b.WriteString("SELECT * FROM temp.sorted ORDER BY ")
	for _, k := range keys {
		b.WriteString("c" + strconv.Itoa(k.Col))
		if k.NoCase {
			b.WriteString(" COLLATE NOCASE")
		}
		if k.Desc {
			b.WriteString(" DESC")
		}
		if k.NullsAside {
			b.WriteString(map[bool]string{false: " NULLS LAST", true: " NULLS FIRST"}[k.Desc])
		}
		b.WriteString(", ")
	}
	b.WriteString("rowid") // rows with equal keys stay in their order
	out, err := sc.query(ctx, b.String(), nil)
	if err != nil {
		return nil, err
	}
	return &scratchSource{rows: out, row: make([]any, width)}, nil
}

// fillUntyped loads rows into a table whose columns leave values as they are.
// The first counted ones are in the meter already.
func fillUntyped(sc *scratch, width int, src source, m *meter, counted int) error {
	names := make([]string, width)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	l, err := sc.createTable("sorted", names, nil)
	if err != nil {
		return err
	}
	defer l.release()
	for n := 0; ; n++ {
		row, err := src.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= counted {
			if err := m.add(1, rowSize(row), "ORDER BY over joined rows"); err != nil {
				return err
			}
		}
		if err := l.add(row); err != nil {
			return err
		}
	}
}
