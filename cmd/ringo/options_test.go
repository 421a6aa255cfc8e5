package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	opt, problems := parseOptions([]string{"panic=reboot", "mitigations=off", "attach=no", "BOOT_IMAGE=/ringo"})
	require.Empty(t, problems)
	require.Equal(t, options{mitigations: "off", attach: false}, opt)
}

func TestOptionsDefaults(t *testing.T) {
	opt, problems := parseOptions(nil)
	require.Empty(t, problems)
	require.Equal(t, options{mitigations: "auto", attach: true}, opt)
}

func TestOptionsUnknown(t *testing.T) {
	opt, problems := parseOptions([]string{"atach=no", "attach=maybe"})
	require.Len(t, problems, 2)
	require.ErrorContains(t, problems[0], "atach=no is not known")
	require.ErrorContains(t, problems[1], "yes or no")
	require.True(t, opt.attach)
}

func TestOptionsWithout(t *testing.T) {
	opt, problems := parseOptions([]string{"without=ept,unrestricted-guest"})
	require.Empty(t, problems)
	require.Equal(t, []string{"enable EPT", "unrestricted guest"}, opt.without)
	opt, problems = parseOptions([]string{"without=ept,warp-drive"})
	require.Len(t, problems, 1)
	require.ErrorContains(t, problems[0], `"warp-drive"; there are`)
	require.Empty(t, opt.without)
}
