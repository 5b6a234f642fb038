// Package logline keeps a log short, whatever peers send and however often something panics. It cuts long
// texts, and it writes panics at one place once a minute.
package logline
