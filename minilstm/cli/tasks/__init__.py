"""What a model is trained for: one file for each task, and what tasks share.

    language_model    text                         LanguageModel
    classify          text → a class               Classifier
    tag               tokens → a label for each    Tagger
    translate         text → text                  EncoderDecoder
    describe          numbers → text               Captioner

``task.py`` says what a task gives to ``minilstm train``, ``sample`` and ``evaluate``.
"""
