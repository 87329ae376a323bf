package vitessdo

import (
	"context"
	"strings"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/route"
)

// Catalog implements exec.Session: the tables of information_schema are filled
// from the snapshot that the statement was planned with.
func (s *session) Catalog(ctx context.Context, scan *route.CatalogScan, columns []string, args []any) ([][]any, error) {
	if r, ok := s.stepRows[strings.ToLower(scan.Table)]; ok {
		return r.cut(columns), nil
	}
	var only map[string]string
	for _, v := range scan.Only {
		text, ok := v.Value.Value(args).(string)
		if !ok {
			continue // the combine compares it
		}
		if only == nil {
			only = map[string]string{}
		}
		only[v.Column] = text
	}
	return info.CatalogRows(scan.Table, columns, only, s.infoInput(ctx))
}
