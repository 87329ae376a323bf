// Package browser tries the console in a real browser: headless Chromium, which must be
// installed. It is a module of its own, since only this test needs what drives the
// browser.
package browser
