/** How overlayfs tells on disk what is gone. Source: kernel documentation, filesystems/overlayfs, "whiteouts and opaque directories". */
export const opaqueXattr = "trusted.overlay.opaque";
export const opaqueValue = Buffer.from("y");
/** Attributes that steer overlayfs: never taken from an archive, never written into one. */
export const overlayXattrPrefix = "trusted.overlay.";

/** How layer archives tell the same. Source: OCI image-spec, layer.md, "Whiteouts"; AUFS for the longer prefix. */
export const whiteoutPrefix = ".wh.";
export const opaqueWhiteout = ".wh..wh..opq";
export const aufsPrefix = ".wh..wh.";
