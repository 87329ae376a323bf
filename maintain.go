package vitessdo

import (
	"context"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// maintain answers ANALYZE, OPTIMIZE, CHECK and REPAIR TABLE with MySQL's rows. CHECK
// asks every shard's engine to look the table and its indexes over; the others have
// nothing to do, as no shard keeps statistics and its pages are used again.
func (s *session) maintain(ctx context.Context, st *sqlast.Maintain) (*rows, error) {
	op := map[string]string{"ANALYZE": "analyze", "OPTIMIZE": "optimize", "CHECK": "check", "REPAIR": "repair"}[st.What]
	if op == "" {
		return s.without(result{}, nil) // FLUSH and CHECKSUM
	}
	var data [][]any
	for _, t := range st.Tables {
		ks, err := s.maintained(t)
		if err != nil {
			return nil, err
		}
		name := ks + "." + t.Name
		tell := func(kind, text string) { data = append(data, []any{name, op, kind, text}) }
		def := s.snap.schema.Table(ks, t.Name)
		view := s.snap.schema.View(ks, t.Name)
		switch {
		case def == nil && view == nil, def != nil && schema.Hidden(def.Name):
			tell("Error", "Table '"+name+"' doesn't exist")
			tell("status", "Operation failed")
		case view != nil && op != "check":
			tell("Error", "'"+name+"' is not BASE TABLE")
			tell("status", "Operation failed")
		case view != nil:
			env := s.env()
			env.Keyspace = ks
			if _, err := route.Select(env, sqlast.CloneQuery(view.Query), 0, false); err != nil {
				tell("Error", err.Error())
				tell("error", "Corrupt")
				continue
			}
			tell("status", "OK")
		case op == "check":
			found, err := s.looksOver(ctx, ks, def)
			if err != nil {
				return nil, err
			}
			for _, text := range found {
				tell("error", text)
			}
			if found == nil {
				tell("status", "OK")
			} else {
				tell("error", "Corrupt")
			}
		case op == "optimize":
			tell("note", "Table does not support optimize, doing recreate + analyze instead")
			tell("status", "OK")
		case op == "repair":
			tell("note", "The storage engine for the table doesn't support repair")
		default:
			tell("status", "OK")
		}
	}
	return s.literal([]string{"Table", "Op", "Msg_type", "Msg_text"}, data), nil
}

// maintained finds the keyspace of a table that a statement tends to.
func (s *session) maintained(t *sqlast.TableRef) (string, error) {
	ks := s.keyspace
	if t.Schema != "" {
		if ks = s.snap.keyspaceOf(t.Schema); ks == "" {
			return "", newError(CodeUnknownDatabase, "unknown database '%s'", t.Schema)
		}
	}
	if ks == "" {
		return "", noDatabase()
	}
	return ks, nil
}

// looksOver gives what is wrong with a table on each shard, nil when nothing is.
func (s *session) looksOver(ctx context.Context, ks string, def *sqlast.TableDef) (found []string, err error) {
	for _, t := range s.cl.tabletsOf(ks) {
		v, err := oneValue(ctx, s.seen(t), "PRAGMA integrity_check("+quoteName(def.Name)+")")
		if tablet.CodeOf(err) == tablet.CodeUnsupported { // the engine may allow to look at the rows alone
			v, err = oneValue(ctx, s.seen(t), "PRAGMA quick_check("+quoteName(def.Name)+")")
		}
		if err != nil {
			return nil, err
		}
		if text, _ := v.(string); text != "ok" {
			found = append(found, "shard "+t.Target().Shard+": "+text)
		}
	}
	return found, nil
}
