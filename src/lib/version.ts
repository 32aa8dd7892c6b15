declare const BUILD_COMMIT: string | undefined;

/** The version of this program; the same as in package.json, and a test says so. */
export const version = "0.1.0";

/** Short commit the executable was built from (`bun build --define BUILD_COMMIT='"…"'`), or `dev`. */
export const buildCommit: string = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "dev";
