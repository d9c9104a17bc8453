// Package assets contains the files that are compiled into ledcast: fonts and their licences, colour themes, icons,
// and the department's messages of January 2021 as editable YAML.
package assets

import (
	_ "embed" // for the files below
	"fmt"
	"sync"

	"ledcast/assets/bdf"
)

// These are the outline fonts, as TrueType files. Both have all Vietnamese letters.
var (
	// BarlowCondensedBold is narrow, for long words in large letters.
	//go:embed fonts/BarlowCondensed-Bold.ttf
	BarlowCondensedBold []byte

	// BeVietnamProBold is wide and has the clearest diacritics.
	//go:embed fonts/BeVietnamPro-Bold.ttf
	BeVietnamProBold []byte
)

// These are the pixel fonts, subsets made by bdf/subset.
var (
	//go:embed fonts/Galmuri7.bdf
	galmuri7 []byte
	//go:embed fonts/Galmuri9.bdf
	galmuri9 []byte
	//go:embed fonts/Galmuri11.bdf
	galmuri11 []byte
)

// The licences require that they are distributed with the fonts.
var (
	//go:embed fonts/BarlowCondensed-OFL.txt
	barlowLicence string
	//go:embed fonts/BeVietnamPro-OFL.txt
	beVietnamLicence string
	//go:embed fonts/Galmuri-OFL.txt
	galmuriLicence string
)

// DefaultContent has the department's messages and default rotation. It is a sequence of YAML documents, each with
// a kind, which `controller apply` accepts. The comments in content.yaml give the sources of the texts.
//
//go:embed content.yaml
var DefaultContent []byte

// Areas has the administrative areas of Quảng Ngãi as of January 2021, in the format of DefaultContent.
//
//go:embed areas.yaml
var Areas []byte

// Templates has the templates of alerts, whose texts are agreed in advance. It is a sequence of YAML documents
// without a kind, one for each template.
//
//go:embed templates.yaml
var Templates []byte

// GalmuriSizes has the sizes of the pixel fonts: the height of a capital letter in pixels.
var GalmuriSizes = []int{7, 9, 11}

var parsed = map[int]func() (*bdf.Font, error){
	7:  sync.OnceValues(func() (*bdf.Font, error) { return bdf.Parse(galmuri7) }),
	9:  sync.OnceValues(func() (*bdf.Font, error) { return bdf.Parse(galmuri9) }),
	11: sync.OnceValues(func() (*bdf.Font, error) { return bdf.Parse(galmuri11) }),
}

// Galmuri returns the pixel font of a size in GalmuriSizes. It parses each font once.
func Galmuri(size int) (*bdf.Font, error) {
	f := parsed[size]
	if f == nil {
		return nil, fmt.Errorf("assets: no Galmuri font of size %d; the sizes are %v", size, GalmuriSizes)
	}
	return f()
}

// Licence is the licence text of an embedded font. Of is the font's name.
type Licence struct{ Of, Text string }

// Licences returns the licences of the embedded fonts. All have the SIL Open Font License 1.1.
func Licences() []Licence {
	return []Licence{
		{"Barlow Condensed Bold", barlowLicence},
		{"Be Vietnam Pro Bold", beVietnamLicence},
		{"Galmuri 7, 9 and 11 (Latin and Vietnamese letters only)", galmuriLicence},
	}
}
