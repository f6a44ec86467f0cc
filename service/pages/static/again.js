// A page about work under way looks again every three seconds.
"use strict";

setTimeout(() => location.reload(), 3000);
