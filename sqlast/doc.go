// Package sqlast is vitessdo's own statement tree: what the parser makes of
// MySQL text, what the planner rewrites and the dialect printers read.
//
// It has few expression nodes, and slots that other trees lack: resolved
// columns, a [Type] on every expression, the source text of select fields,
// RETURNING and conflict clauses, comment directives. The parser fills in what
// stands in the text; the planner's binder fills in [Type] and [Col.Def]. Nodes
// may be shared between trees as long as nobody changes them: whoever rewrites
// clones first ([CloneExpr], [CloneSelect] …).
package sqlast
