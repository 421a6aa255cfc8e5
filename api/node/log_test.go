package node

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLogKeepsTheNewest(t *testing.T) {
	var l Log
	for i := range 3000 {
		l.Infof("line %d", i)
	}
	all := l.Since(0)
	require.Len(t, all, maxLogEntries)
	require.Equal(t, "line 2999", all[maxLogEntries-1].Text)
	require.EqualValues(t, 2999, all[maxLogEntries-1].Seq)
	require.Len(t, l.Since(2990), 10)
	require.Empty(t, l.Since(9999))
}

func TestLogIsBoundedInBytes(t *testing.T) {
	var l Log
	for i := range 200 {
		l.Errorf("%d%s", i, strings.Repeat("x", 2*maxLogText))
	}
	sum := 0
	for _, e := range l.Since(0) {
		require.Len(t, e.Text, maxLogText)
		sum += len(e.Text)
	}
	require.LessOrEqual(t, sum, maxLogBytes)
}

func TestLogCountsRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Log
		w := l.Watch()
		defer w.Close()
		for range 5 {
			l.Warnf("again")
			time.Sleep(repeatWindow / 2)
		}
		time.Sleep(repeatWindow)
		l.Warnf("again")
		all := l.Since(0)
		require.Len(t, all, 2, "after a while it is news")
		require.Equal(t, 4, all[0].Repeats)
		require.Len(t, w.C, 1, "a watch holds one firing")
	})
}

func TestLogIsSafeForATerminal(t *testing.T) {
	var l Log
	l.Infof("a\x1b[2Jb\tc\rd\x00\u009b\n  e\n\n")
	require.Equal(t, "a?[2Jb c?d??\n  e", l.Since(0)[0].Text)
}

func TestLogLevels(t *testing.T) {
	var l Log
	l.SetLevel(LevelWarn)
	l.Debugf("d")
	l.Infof("i")
	l.Warnf("w")
	l.Errorf("e")
	var got []string
	for _, e := range l.Since(0) {
		got = append(got, fmt.Sprint(e.Level, " ", e.Text))
	}
	require.Equal(t, []string{"warn w", "error e"}, got)
	require.Equal(t, "level 9", Level(9).String())
	require.Equal(t, LevelError, levelOf("error"))
	require.Equal(t, LevelInfo, levelOf(""))
}
