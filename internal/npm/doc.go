// Package npm installs the npm packages that tests need: what a folder's
// package-lock.json names, once per content, into the user's cache folder. Tests
// that use it have the build constraint !nonode.
package npm
