// Package mysqloracle compares what vitessdo answers with what another
// implementation of MySQL's dialect does, github.com/dolthub/go-mysql-server in
// this process: the cases of internal/conformance, and random expressions over
// literals and columns.
//
// Neither is the truth. Where they differ, MySQL's manual decides, and
// known.go lists the difference with who is right; a difference that isn't
// listed fails the test, and so does a listed one that is no more.
//
// It is a module of its own because of what that server depends on; its regular
// expressions need a C compiler and ICU's headers.
package mysqloracle
