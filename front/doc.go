// Package front holds what the front ends of dialects other than MySQL's share:
// short ways to build trees of [sqlast], and what all of them must do to say in
// MySQL's terms what other languages mean.
//
//	text ──a dialect's parser──▶ its tree ──conversion──▶ sqlast
//
// The front ends are packages beneath: front/sqlite, and front/postgres, a module of
// its own. The tree's operators and functions mean what MySQL's do; a front end
// rewrites what means something else, leaves to the binder what hangs on types
// ([sqlast.Late]), and refuses the rest by name and place.
package front
