// Package peers has only tests: what the generators write is read by libraries
// that others wrote, each in an exact version. It is a module of its own so that
// the product does not need them.
package peers
