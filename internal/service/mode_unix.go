//go:build unix

package service

import "io/fs"

// open says whether others than the owner may read the file.
func open(m fs.FileMode) bool { return m.IsRegular() && m.Perm()&0o077 != 0 }
