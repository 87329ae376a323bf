package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// asCommand makes a run of this test binary be the command instead of testing.
const asCommand = "VITESSDO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestDocs runs the shell scripts of the docs, page by page in one directory, as
// they stand there.
func TestDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asCommand, self)
	if err := os.WriteFile(filepath.Join(bin, "vitessdo"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, block := range shellBlock.FindAllSubmatch(text, -1) {
			found++
			cmd := exec.Command("sh", "-ec", string(block[1]))
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s:\n%s%v\n%s", page, block[1], err, out)
			}
		}
	}
	if found == 0 {
		t.Error("no page has a script")
	}
}
