package route_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReasons demands of every plan in testdata a line directly above it that
// says why it is the best plan that is still right, and says it of that plan:
// a golden file alone shows what the planner does, not whether it should.
func TestReasons(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in testdata: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plans, faults := reasonFaults(string(text))
		for _, f := range faults {
			t.Errorf("%s:%d: %s", file, f.line, f.what)
		}
		if plans == 0 && filepath.Base(file) != "explain.txt" {
			t.Errorf("%s has no plan: is it read as it is written?", file)
		}
	}
}

type reasonFault struct {
	line int
	what string
}

// reasonFaults counts a golden script's plans and finds those without a reason
// of their own.
func reasonFaults(script string) (plans int, faults []reasonFault) {
	said := map[string]int{}
	above, inCase := "", false
	for i, line := range strings.Split(script, "\n") {
		switch {
		case inCase:
			inCase = line != "" // a case ends with the blank line after its output
			above = ""
			continue
		case line == "" || strings.HasPrefix(line, "#"):
			above = strings.TrimSpace(strings.TrimLeft(line, "#"))
			continue
		}
		inCase = true
		if name, _, _ := strings.Cut(line, " "); name != "plan" {
			continue
		}
		plans++
		switch first := said[above]; {
		case above == "":
			faults = append(faults, reasonFault{i + 1, "this plan has no reason: say in a comment directly above it why it is right, and why nothing cheaper is"})
		case first > 0:
			faults = append(faults, reasonFault{i + 1, "this plan has the reason of another, word for word: say what is special about it"})
		default:
			said[above] = i + 1
		}
	}
	return plans, faults
}

func TestReasonFaults(t *testing.T) {
	for _, c := range []struct {
		name, script string
		plans        int
		lines        []int
	}{
		{"reason", "# Why.\nplan\nSELECT 1\n----\nout\n", 1, nil},
		{"none", "shop\n----\n\nplan run=any\nSELECT 1\n----\nout\n", 1, []int{4}},
		{"section only", "# Section.\n\nplan\nSELECT 1\n----\nout\n", 1, []int{3}},
		{"empty", "#\nplan\nSELECT 1\n----\nout\n", 1, []int{2}},
		{"twice", "# Why.\nplan\nSELECT 1\n----\nout\n\n# Why.\nplan\nSELECT 2\n----\nout\n", 2, []int{8}},
		{"not a plan", "explain\nSELECT 1\n----\nplan\n\n# Why.\nplan\nplan\n----\nout\n", 1, nil},
	} {
		plans, faults := reasonFaults(c.script)
		var lines []int
		for _, f := range faults {
			lines = append(lines, f.line)
		}
		if plans != c.plans || len(lines) != len(c.lines) || len(lines) > 0 && lines[0] != c.lines[0] {
			t.Errorf("%s: %d plans, faults in lines %v; want %d, %v", c.name, plans, lines, c.plans, c.lines)
		}
	}
}
