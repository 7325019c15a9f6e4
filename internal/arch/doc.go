// Package arch holds the rules of the house as a test: who may import whom,
// and what no file may hold.
//
// A value flows like this: the test lists the packages of the checkout, parses
// their files without type-checking, and compares imports and syntax with the
// tables in rules.go; a finding names the place, the rule and what to use
// instead.
//
// It has no code of the product: everything is in tests.
package arch
