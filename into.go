package vitessdo

import (
	"bytes"
	"context"

	"github.com/vitessdo/vitessdo/exec"
)

// selectInto runs SELECT … INTO @a, @b: the one row's values go into the
// variables; no row leaves them as they are.
func (s *session) selectInto(ctx context.Context, p *prepared, vec []any) (n int64, err error) {
	rows, err := exec.Query(ctx, s, p.plan, vec)
	if err != nil {
		return 0, s.failed(err)
	}
	var row []any
	buf := make([]any, len(p.into))
	for n < 2 {
		if err = rows.Next(buf); err != nil {
			break
		}
		if n++; n == 1 {
			row = make([]any, len(buf))
			for i, v := range buf {
				if b, ok := v.([]byte); ok {
					v = bytes.Clone(b)
				}
				row[i] = v
			}
		}
	}
	if cerr := rows.Close(); cerr != nil && (err == nil || isEOF(err)) {
		err = cerr
	}
	switch {
	case err != nil && !isEOF(err):
		return 0, s.failed(err)
	case n > 1:
		return 0, newError(CodeTooManyRows, "result consisted of more than one row: SELECT … INTO takes one, add LIMIT 1")
	case n == 1 && s.uservars == nil:
		s.uservars = map[string]any{}
	}
	for i, v := range row {
		s.uservars[p.into[i]] = v
	}
	return n, nil
}
