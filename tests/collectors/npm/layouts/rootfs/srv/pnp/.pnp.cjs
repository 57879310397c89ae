#!/usr/bin/env node
/* eslint-disable */
"use strict";

const RAW_RUNTIME_STATE =
'{\
  "__info": [\
    "It\'s generated"\
  ],\
  "packageRegistryData": [\
    [\
      null,\
      [\
        [\
          null,\
          {\
            "packageLocation": "./",\
            "packageDependencies": [],\
            "linkType": "SOFT"\
          }\
        ]\
      ]\
    ],\
    [\
      "is-odd",\
      [\
        [\
          "npm:3.0.1",\
          {\
            "packageLocation": "./.yarn/cache/is-odd-npm-3.0.1-a-b.zip/node_modules/is-odd/",\
            "packageDependencies": [],\
            "linkType": "HARD"\
          }\
        ]\
      ]\
    ],\
    [\
      "gone",\
      [\
        [\
          "npm:1.0.0",\
          {\
            "packageLocation": "./.yarn/cache/gone-npm-1.0.0-a-b.zip/node_modules/gone/",\
            "packageDependencies": [],\
            "linkType": "HARD"\
          }\
        ]\
      ]\
    ],\
    [\
      "native",\
      [\
        [\
          "virtual:0123#npm:1.0.0",\
          {\
            "packageLocation": "./.yarn/unplugged/native-npm-1.0.0-abc/node_modules/native/",\
            "packageDependencies": [],\
            "linkType": "HARD"\
          }\
        ]\
      ]\
    ],\
    [\
      "lib",\
      [\
        [\
          "workspace:packages/lib",\
          {\
            "packageLocation": "./packages/lib/",\
            "packageDependencies": [],\
            "linkType": "SOFT"\
          }\
        ]\
      ]\
    ]\
  ]\
}';

function $$SETUP_STATE(hydrateRuntimeState, basePath) {
  return hydrateRuntimeState(JSON.parse(RAW_RUNTIME_STATE), {basePath: basePath || __dirname});
}
