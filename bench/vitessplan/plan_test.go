package main

import "testing"

// TestStatements checks that both planners take every statement: a comparison
// with an error on one side would be none.
func TestStatements(t *testing.T) {
	for name, open := range map[string]func() (planner, error){"vitessdo": openOurs, "vitess": openVitess} {
		p, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range statements {
			if err := p(s.text); err != nil {
				t.Errorf("%s: %s: %v", name, s.name, err)
			}
		}
	}
}
