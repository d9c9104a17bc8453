// Command subset reduces a BDF font to the characters in bdf.SignLetters.
//
// The three Galmuri fonts in assets/fonts are its output. To reproduce them, unpack the npm package galmuri
// (2.40.3) and run, for each of 7, 9 and 11:
//
//	go run ./assets/bdf/subset package/dist/Galmuri7.bdf > assets/fonts/Galmuri7.bdf
package main

import (
	"fmt"
	"os"

	"ledcast/assets/bdf"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: subset FONT.bdf > SUBSET.bdf")
		os.Exit(2)
	}
	data, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = bdf.Subset(os.Stdout, data, bdf.SignLetters)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
