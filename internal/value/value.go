// Package value reads what people type, and writes it as they read it: amounts of money, times, names and notes, phone
// numbers, e-mail addresses, lifetimes, contract numbers.
//
// Every function is pure: it depends on its arguments alone, so no clock, no setting and no database may be used here. A
// Parse function returns the one spelling that the database keeps, and accepts what it returned before. It refuses the
// rest with a message of one line that names the accepted forms. A Check function refuses what the Parse function of the
// same name would not have returned, for values that did not come from it. A Format function returns text for people
// that its Parse function accepts.
//
// A new kind of value is a file here, with a table test of what is accepted and refused, and a fuzz target.
package value
