// The Worker: what Cloudflare runs.

import type { Env } from "./env";
import { serve } from "./front";

export { VTStore } from "./store";
export { VTTablet } from "./tablet";

export default { fetch: serve } satisfies ExportedHandler<Env>;
