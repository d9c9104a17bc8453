// Package assets holds what is compiled into ledcast: the fonts that its signs
// are drawn with, their licences, colour themes, icons, and the department's
// own messages of January 2021 as a document that a person can edit.
package assets

import (
	_ "embed" // the files below
	"fmt"
	"sync"

	"ledcast/assets/bdf"
)

// The outline fonts, as TrueType files. Both hold every Vietnamese letter.
var (
	// BarlowCondensedBold is narrow: long words in large letters.
	//go:embed fonts/BarlowCondensed-Bold.ttf
	BarlowCondensedBold []byte

	// BeVietnamProBold has the clearest diacritics, and is wide.
	//go:embed fonts/BeVietnamPro-Bold.ttf
	BeVietnamProBold []byte
)

// The pixel fonts: subsets made by bdf/subset.
var (
	//go:embed fonts/Galmuri7.bdf
	galmuri7 []byte
	//go:embed fonts/Galmuri9.bdf
	galmuri9 []byte
	//go:embed fonts/Galmuri11.bdf
	galmuri11 []byte
)

// The fonts' licences, which travel with the fonts.
var (
	//go:embed fonts/BarlowCondensed-OFL.txt
	barlowLicence string
	//go:embed fonts/BeVietnamPro-OFL.txt
	beVietnamLicence string
	//go:embed fonts/Galmuri-OFL.txt
	galmuriLicence string
)

// DefaultContent is the department's messages and default rotation: several
// YAML documents, each with a kind, as `controller apply` reads them. See
// content.yaml for what it is and where its words come from.
//
//go:embed content.yaml
var DefaultContent []byte

// Areas is Quảng Ngãi of January 2021, in the form of DefaultContent.
//
//go:embed areas.yaml
var Areas []byte

// Templates are the words of alerts, agreed before the day they are needed: YAML
// documents without a kind, one for each template.
//
//go:embed templates.yaml
var Templates []byte

// GalmuriSizes are the heights of a capital letter, in pixels, for which there
// is a pixel font.
var GalmuriSizes = []int{7, 9, 11}

var parsed = map[int]func() (*bdf.Font, error){
	7:  sync.OnceValues(func() (*bdf.Font, error) { return bdf.Parse(galmuri7) }),
	9:  sync.OnceValues(func() (*bdf.Font, error) { return bdf.Parse(galmuri9) }),
	11: sync.OnceValues(func() (*bdf.Font, error) { return bdf.Parse(galmuri11) }),
}

// Galmuri returns the pixel font of one of GalmuriSizes, parsed once.
func Galmuri(size int) (*bdf.Font, error) {
	f := parsed[size]
	if f == nil {
		return nil, fmt.Errorf("assets: no Galmuri of size %d; the sizes are %v", size, GalmuriSizes)
	}
	return f()
}

// Licence is the licence of something that is compiled in.
type Licence struct{ Of, Text string }

// Licences are those of the embedded fonts, each under the SIL Open Font
// License 1.1.
func Licences() []Licence {
	return []Licence{
		{"Barlow Condensed Bold", barlowLicence},
		{"Be Vietnam Pro Bold", beVietnamLicence},
		{"Galmuri 7, 9 and 11 (Latin and Vietnamese letters only)", galmuriLicence},
	}
}
