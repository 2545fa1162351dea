"""Write the model card and the summary of training content, from the manifest alone.

What is said of the base model was read in the abstract of its technical report (arXiv 2402.05672, February 2024) on
2026-11-21. What the kit cannot know, the texts say is not known.
"""

from typing import Any

REPORT = "https://arxiv.org/abs/2402.05672"
"""Technical report of the base model."""


def model_card(manifest: dict[str, Any]) -> str:
    """Model card in the form of the Hugging Face hub: YAML metadata, then Markdown."""
    languages = "\n".join(f"- {code}" for code in manifest["languages"])
    vocabulary, parameters = manifest["vocabulary"], manifest["parameters"]
    return f"""---
license: {manifest["licence"].lower()}
base_model: {manifest["base_model"]}
library_name: transformers
pipeline_tag: feature-extraction
language:
{languages}
---

# {manifest["name"]}

A small encoder for the 24 official languages of the European Union. It turns a text into {manifest["hidden_size"]}
numbers. It is [{manifest["base_model"]}](https://huggingface.co/{manifest["base_model"]}) with a smaller vocabulary.
Nothing was trained for it.

## What was changed

| | original | here |
|---|---|---|
| pieces in the vocabulary | {vocabulary["original"]:,} | {vocabulary["kept"]:,} |
| parameters | {parameters["original"]:,} | {parameters["kept"]:,} |
| number format of the file | | {manifest["precision"]} |

The weights come from {_origin(manifest)}. {_precision(manifest)}

The pieces that stay were chosen on {vocabulary["chosen"]} by counting words of the 24 languages: {_joined(vocabulary)}.
The choice gives each language nearly the same share of covered text. Other languages lost most of their pieces: do not
use this model for them.

## How to use it

```python
from labkit.models import load, embed

model, tokenizer = load()
vectors = embed(["Air quality by station and hour"], model, tokenizer)
```

The vectors are the mean over the pieces of a text. Texts are cut after {manifest["longest_text"]} pieces. For search,
the authors of the base model put "query: " before a question and "passage: " before a text; for classification the kit
puts nothing before it.

## What it is for, and what not

It is made for lessons: sorting titles by theme, finding similar titles, fine-tuning on a laptop. It was not tested for
any decision about people. It is worse in some languages than in others (Maltese among them), so measure each language
before you use it.

## Not known

- What exactly is in the texts that the base model learnt from, and which languages they were in by how much.
- What biases it took from them. The kit did not measure any.
- How much energy its training took.

## Licence

{manifest["licence"]}, as the base model. Technical report of the base model: {REPORT}
"""


def training_content(manifest: dict[str, Any]) -> str:
    """Summary of the content used for training, with the headings that a reader of such a summary looks for."""
    return f"""# Summary of training content: {manifest["name"]}

This is a voluntary summary for teaching. It is not the official template of the AI Office, and nobody has checked it.

## 1. The model

- Name: {manifest["name"]}
- Made from: {manifest["base_model"]}, by cutting the vocabulary. Source of the weights: {_origin(manifest)}
- Kind of content: text only
- Training done by the kit: none

## 2. What the kit itself used

No text was used for training. Words were counted to choose the {manifest["vocabulary"]["kept"]:,} pieces that stay:
{_joined(manifest["vocabulary"])}.

## 3. What is known of the base model's training

- First stage: about one billion pairs of texts in many languages, learnt by contrast ({REPORT}).
- Second stage: labelled data sets, combined. The report names the sources of both stages.
- The models were released in the middle of 2023 (same report). Texts are older than that.

## 4. What is not known

- The list of web sites, and the dates at which they were copied.
- Which texts are protected by copyright, and whether their owners had reserved their rights.
- Whether personal data are in them.
- The shares of the 24 languages.

Ask the provider of the base model for these; the kit cannot answer them.
"""


def _origin(manifest: dict[str, Any]) -> str:
    source = manifest["source"]
    place = "the PyPI package" if source["kind"] == "package" else "the hub's model"
    return f"{place} `{source['name']}` ({source['version']}), file `{source['file']}`, SHA-256 `{source['sha256']}`"


def _precision(manifest: dict[str, Any]) -> str:
    if manifest["source"]["kind"] == "package":
        return f"They were stored there in {manifest['source']['precision']}, so they are rounded."
    return "They are as precise there as the authors published them."


def _joined(vocabulary: dict[str, Any]) -> str:
    return "; ".join(vocabulary["counted"])
