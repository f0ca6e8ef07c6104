"""A cluster is the failures that share a template; its name is made from the template, so it is the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.analysis.failures.causes import RULES, Rule, find_causes, find_reasons
from schedlog_analysis.analysis.failures.templates import mine_templates


def cluster_id(template: str) -> str:
    """
    Name the cluster of a template: ten hexadecimal digits of its BLAKE2b hash.

    Examples
    --------
    >>> cluster_id("Monthly usage hard limit exceeded")
    'f764ffe820'
    """
    return blake2b(template.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def label_messages(messages: pd.Index[Any], rules: Sequence[Rule] = RULES) -> pd.DataFrame:
    """
    Tell for each distinct message to which cluster it belongs and what its cause is.

    Templates are those of the reasons: the prefix ``Cannot start Actor "<id>": `` says what was hit, not by what.
    Secrets are taken out of the templates before they are named, so that neither a table nor a name gives one away.

    Parameters
    ----------
    messages
        Distinct messages.
    rules
        Rules for the causes, see `find_causes`.

    Returns
    -------
    labels
        Columns cluster_id, template and cause (categoricals of text); a row per message, in the order of the messages.

    Examples
    --------
    >>> label_messages(pd.Index(["Actor was not found", "Actor was not found"])).cluster_id.nunique()
    1
    """
    texts = pd.Series(messages, dtype="str")
    mined = mine_templates(find_reasons(texts))
    redacted = redact_texts(pd.Series(mined.categories, dtype="str"))
    codes, templates = pd.factorize(redacted, sort=True)
    per_message = codes[mined.codes]
    ids = pd.Index([cluster_id(template) for template in templates], dtype="str")
    names, id_of = ids.factorize(sort=True)
    return pd.DataFrame(
        {
            "cluster_id": pd.Categorical.from_codes(names[per_message], categories=pd.Index(id_of, dtype="str")),
            "template": pd.Categorical.from_codes(per_message, categories=pd.Index(templates, dtype="str")),
            "cause": find_causes(texts, rules),
        }
    )


def labelled(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """
    Add to a table that has a column `message` what `label_messages` says of each; a missing message is an empty one.

    Parameters
    ----------
    table
        Any table; its messages become a categorical.
    labels
        Labels, indexed by their messages.

    Examples
    --------
    >>> labels = label_messages(pd.Index(["Unknown error"])).set_axis(["Unknown error"])
    >>> labelled(pd.DataFrame({"message": ["Unknown error"] * 2, "n": [1, 2]}), labels)["template"].tolist()
    ['Unknown error', 'Unknown error']
    """
    codes, known = pd.factorize(table["message"])
    texts = pd.Index(known, dtype="str")
    texts = texts if "" in texts else texts.append(pd.Index([""], dtype="str"))
    codes = np.where(codes < 0, texts.get_loc(""), codes)
    found = table.assign(message=pd.Categorical.from_codes(codes, categories=texts))
    for name, column in labels.reindex(texts).items():
        found[name] = column.array.take(codes)
    return found
