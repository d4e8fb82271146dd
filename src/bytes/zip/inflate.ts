/** What zip archives need of fflate, which bundlers then take in alone. */

export { inflateSync } from 'fflate'
