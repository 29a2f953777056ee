"""Hooks of schemathesis: half of what it makes up is replaced with what there is, so that requests get past the door.

The same made-up value always becomes the same real one, as shrinking wants it.
"""

import json
import os
import zlib

import schemathesis

with open(os.environ['SERAI_FUZZ_VALUES']) as file:
    VALUES = json.load(file)


def chosen(name, made_up):
    """A real value of a parameter, or what was made up."""
    real = VALUES.get(name)
    number = zlib.crc32(repr(made_up).encode())
    return real[number // 2 % len(real)] if real and number % 2 else made_up


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if not path_parameters:
        return path_parameters
    return {name: chosen(name, value) for name, value in path_parameters.items()}


@schemathesis.hook
def map_query(context, query):
    if not query:
        return query
    return {name: chosen(name, value) for name, value in query.items()}


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if isinstance(body.get('query'), dict):
        # Values of any kind for quantities that there are.
        body['query'] = {chosen('quantity', name): value for name, value in body['query'].items()}
    if isinstance(body.get('quantities'), list):
        body['quantities'] = [
            {**item, 'name': chosen('quantity', item.get('name'))} if isinstance(item, dict) else item
            for item in body['quantities']
        ]
    for name in ('pagination', 'required'):
        if isinstance(body.get(name), dict):
            body[name] = {key: chosen(key, value) for key, value in body[name].items()}
    return body
