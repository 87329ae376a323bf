package sqlite

import "github.com/vitessdo/vitessdo/sqlast"

// MySQL's bit operations give 64 bits without sign. SQLite's integers have the
// same bits, but from 2^63 on they are negative numbers: among bit operations
// that makes no difference, and where the result is used as a number the
// function unsigned lets pass what is none of those.

func bitFuncs() map[string]fnPrinter {
	return map[string]fnPrinter{
		"BIT_COUNT": func(p *printer, f *sqlast.Func, _ int) {
			p.s("bit_count(")
			p.bits(f.Args[0], 0)
			p.c(')')
		},
	}
}

func isBitOp(op sqlast.Op) bool {
	switch op {
	case sqlast.OpBitOr, sqlast.OpBitAnd, sqlast.OpBitXor, sqlast.OpShl, sqlast.OpShr, sqlast.OpBitNot:
		return true
	}
	return false
}

// bitOp prints an operation as a number.
func (p *printer) bitOp(e sqlast.Expr, min int) {
	if smallBits(e) {
		p.bits(e, min)
		return
	}
	p.s("unsigned(")
	p.bits(e, 0)
	p.c(')')
}

// smallBits says whether e's highest bit is 0 for sure.
func smallBits(e sqlast.Expr) bool {
	if isCondition(e) {
		return true
	}
	switch e := e.(type) {
	case *sqlast.Lit:
		n, ok := intLit(e)
		return ok && n >= 0 || e.Kind == sqlast.LitTrue || e.Kind == sqlast.LitFalse ||
			e.Kind == sqlast.LitBytes && (len(e.Text) < 8 || len(e.Text) == 8 && e.Text[0] < 0x80)
	case *sqlast.Binary:
		switch e.Op {
		case sqlast.OpBitAnd:
			return smallBits(e.L) || smallBits(e.R)
		case sqlast.OpBitOr, sqlast.OpBitXor:
			return smallBits(e.L) && smallBits(e.R)
		case sqlast.OpShr:
			n, ok := intLit(e.R)
			return ok && n != 0 || smallBits(e.L)
		}
	}
	return false
}

// bits prints an operand of a bit operation, or an operation among others.
func (p *printer) bits(e sqlast.Expr, min int) {
	switch x := e.(type) {
	case *sqlast.Unary:
		if x.Op == sqlast.OpBitNot {
			b := p.open(precUnary, min)
			p.c('~')
			p.bits(x.X, precUnary)
			p.close(b)
			return
		}
	case *sqlast.Binary:
		if isBitOp(x.Op) {
			p.bitBinary(x, min)
			return
		}
	case *sqlast.Lit:
		if x.Kind == sqlast.LitBytes {
			p.bytesAs(x, sqlast.ClassInt)
			return
		}
	}
	if p.memberNumber(e) {
		return
	}
	if class(e) == sqlast.ClassInt && !bigLit(e) {
		p.expr(e, min)
		return
	}
	if keyed(e) {
		p.s("dec_bits(")
		p.reader(e)
		p.c(')')
		return
	}
	p.call("bits", e)
}

// bigLit says whether e is a number that SQLite reads as a REAL.
func bigLit(e sqlast.Expr) bool {
	l, ok := e.(*sqlast.Lit)
	if !ok || l.Kind != sqlast.LitInt {
		return false
	}
	_, small := intLit(e)
	return !small
}

func (p *printer) bitBinary(e *sqlast.Binary, min int) {
	switch e.Op {
	case sqlast.OpShl, sqlast.OpShr:
		p.shift(e, min)
		return
	case sqlast.OpBitXor:
		b := p.open(precAdd, min)
		l := p.capture(func() { p.bits(e.L, precBit+1) })
		r := p.capture(func() { p.bits(e.R, precBit+1) })
		p.s("(" + l + " | " + r + ") - (" + l + " & " + r + ")")
		p.close(b)
		return
	}
	b := p.open(precBit, min)
	left := precBit
	// SQLite has & | << >> on one level: say by brackets what belongs together.
	if l, ok := e.L.(*sqlast.Binary); ok && l.Op != e.Op {
		left = precBit + 1
	}
	p.bits(e.L, left)
	p.s(opText[e.Op])
	p.bits(e.R, precBit+1)
	p.close(b)
}

// shift: SQLite's >> keeps the sign, and both turn round for negative counts.
func (p *printer) shift(e *sqlast.Binary, min int) {
	n, isLit := intLit(e.R)
	if isLit && n >= 0 && (e.Op == sqlast.OpShl || smallBits(e.L)) {
		b := p.open(precBit, min)
		p.bits(e.L, precBit+1)
		p.s(opText[e.Op])
		p.expr(e.R, precBit+1)
		p.close(b)
		return
	}
	if e.Op == sqlast.OpShl {
		p.s("bit_shl(")
	} else {
		p.s("bit_shr(")
	}
	p.bits(e.L, 0)
	p.s(", ")
	p.bits(e.R, 0)
	p.c(')')
}
