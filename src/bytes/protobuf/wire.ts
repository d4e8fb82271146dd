/** What reading needs of protobuf, which bundlers then take in alone. */

export { BinaryReader } from '@bufbuild/protobuf/wire'
