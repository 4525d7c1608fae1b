// SPDX-License-Identifier: MIT
//
// kinesalite for this host alone: its own command listens on every interface.
//
// usage: NODE_PATH=…/node_modules node kinesalite.js PORT OPTIONS
// OPTIONS are kinesalite's, as a JSON object.
const [port, options] = process.argv.slice(2)
require('kinesalite')(JSON.parse(options)).listen(Number(port), '127.0.0.1')
