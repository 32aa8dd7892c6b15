// Ends the daemon that npm start has started; containers stay.
import { stopInBackground } from "./lib/background-daemon.ts";
import { ensureRoot } from "./lib/host.ts";
import { placeOf } from "./lib/place.ts";
import { isSystemd, stopService } from "./lib/systemd.ts";

try {
  await ensureRoot();
  const place = placeOf(process.env);
  if (place.isDefault && isSystemd()) await stopService();
  else if (!(await stopInBackground(place))) console.error(`no daemon runs at ${place.host}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
