package vitessdo

import (
	"database/sql/driver"
	"reflect"
)

// planFor gives the plan of text for arguments of these kinds: where a number
// meets text, they compare as numbers, and where text does, as text. p is the
// plan for arguments of any kind, and the answer for nearly every statement.
func (s *session) planFor(p *prepared, text string, args []driver.NamedValue) (*prepared, error) {
	if p.lists != nil && len(args) == p.params {
		return s.planLists(p, text, args)
	}
	if p.plan == nil || len(p.plan.Params.Texts) == 0 || len(args) != p.params {
		return p, nil
	}
	var kinds []any // as sqlparse takes them
	var key []byte
	for _, i := range p.plan.Params.Texts {
		k := numberKind(p.argument(args, i))
		if k == nil {
			continue
		}
		if kinds == nil {
			kinds, key = make([]any, p.params), make([]byte, p.params)
		}
		kinds[i], key[i] = k, 'i'
		if _, float := k.(float64); float {
			key[i] = 'f'
		}
	}
	if kinds == nil {
		return p, nil
	}
	return s.plannedAs(text+"\x00"+string(key), kinds, func() (*prepared, error) { return s.makePlan(text, kinds) })
}

// argument gives the value of parameter i.
func (p *prepared) argument(args []driver.NamedValue, i int) any {
	if p.names == nil {
		return args[i].Value
	}
	for _, a := range args {
		if a.Name != "" && a.Name == p.names[i] || a.Name == "" && a.Ordinal == i+1 {
			return a.Value
		}
	}
	return nil
}

// numberKind gives an int64 or a float64 for a value that is bound as one; nil for
// others.
func numberKind(v any) any {
	switch v := v.(type) {
	case nil, string, []byte:
		return nil
	case int64, bool:
		return int64(0)
	case float64:
		return v
	case driver.Valuer:
		w, err := v.Value()
		if _, again := w.(driver.Valuer); again || err != nil {
			return nil // binding says what is wrong
		}
		return numberKind(w)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(0)
	case reflect.Float32, reflect.Float64:
		return r.Float()
	case reflect.Pointer:
		if !r.IsNil() {
			return numberKind(r.Elem().Interface())
		}
	}
	return nil
}
