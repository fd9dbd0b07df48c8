// Values of BLEU and ROUGE-L to compare text_overlap.h with, written by tests/text_overlap.py --write-vectors. They are
// those of nltk 3.9.1, rouge-score 0.1.2: sentence_bleu with method1 of str.lower().split(), and RougeScorer without a
// stemmer.
#pragma once

#include <string>
#include <vector>

namespace assay::overlap {

struct OverlapVector {
  std::vector<std::string> references;
  std::string hypothesis;
  double bleu;                  // with all references
  double precision, recall, f;  // ROUGE-L with the first reference
};

inline const std::vector<OverlapVector> kOverlapVectors = {
    // no words
    {{"the cat sat on the mat"}, "", 0, 0, 0, 0},
    // white space alone
    {{"the cat sat"}, " \t\n", 0, 0, 0, 0},
    // words of punctuation alone: BLEU has a match, ROUGE-L has no word
    {{"?! the cat sat"}, "... ?!", 0.055010807399206017, 0, 0, 0},
    // a reference without words is the closest
    {{"", "the cat sat on the mat today"}, "the cat sat", 0.56234132519034907, 0, 0, 0},
    // no overlap
    {{"the cat sat on the mat"}, "a dog stood under that tree", 0, 0, 0, 0},
    // one word, the same
    {{"cat"}, "cat", 0.17782794100389229, 1, 1, 1},
    // one word, twice in the longer reference
    {{"the cat sat on the mat"}, "the", 0.0011981952414407235, 1, 0.16666666666666666, 0.2857142857142857},
    // two words
    {{"the cat sat on the mat", "a cat"}, "the cat", 0.316227766016838, 1, 0.33333333333333331, 0.5},
    // three words
    {{"the cat sat", "on the cat sat"}, "the cat sat", 0.56234132519034907, 1, 1, 1},
    // four words in the reference's order
    {{"the cat sat down"}, "the cat sat down", 1, 1, 1, 1},
    // four words in another order
    {{"the cat sat down"}, "down sat the cat", 0.20205155046766235, 0.5, 0.5, 0.5},
    // lengths 4 and 6 are as close to 5: the shorter counts
    {{"the cat sat down", "the cat sat on the mat"},
     "the cat sat on it",
     0.66874030497642201,
     0.59999999999999998,
     0.75,
     0.66666666666666652},
    // the same in the other order
    {{"the cat sat on the mat", "the cat sat down"},
     "the cat sat on it",
     0.66874030497642201,
     0.80000000000000004,
     0.66666666666666663,
     0.72727272727272718},
    // the closest length is the longer
    {{"the cat", "the cat sat on the mat", "a b c d e f g h i"},
     "the cat sat on it",
     0.54751825350694527,
     0.40000000000000002,
     1,
     0.57142857142857151},
    // repeated words, clipped
    {{"the cat is on the mat", "there is a cat on the mat"},
     "the the the the the the the",
     0.039281465090051315,
     0.2857142857142857,
     0.33333333333333331,
     0.30769230769230765},
    // clipped at the most of one reference, not at the sum
    {{"the cat the cat a b", "the dog the dog the dog"},
     "the the the the the cat cat cat",
     0.073860999559306056,
     0.375,
     0.5,
     0.42857142857142855},
    // matches up to bigrams
    {{"the cat sat on the mat"},
     "the cat lay on the old rug",
     0.098787654742307426,
     0.5714285714285714,
     0.66666666666666663,
     0.61538461538461531},
    // matches of every order
    {{"it is a guide to action that ensures that the party will always heed commands",
      "it is the guiding principle which guarantees the party always being under command"},
     "it is a guide to action which ensures that the party always obeys the commands of the party",
     0.46816503701131112,
     0.66666666666666663,
     0.80000000000000004,
     0.72727272727272718},
    // upper case
    {{"The CAT sat on The Mat"}, "the cat SAT ON the mAt", 1, 1, 1, 1},
    // punctuation in words
    {{"\"Don't,\" she said: the well-known cat_food isn't here."},
     "don't she said the well known cat food isn't here",
     0.027776190340117919,
     1,
     1,
     1},
    // digits
    {{"pi is 3.14159 and 2x is 20"},
     "Pi is 3.14159, and 2X is 2 0",
     0.17286039232097053,
     0.77777777777777779,
     0.875,
     0.82352941176470595},
    // letters outside ASCII end a word of ROUGE-L
    {{"Le CAFÉ d'Été est À côté ×", "le café"},
     "le caf d'été EST à coté ÷ ß",
     0.14772199911861211,
     0.83333333333333337,
     0.7142857142857143,
     0.76923076923076916},
    // capitals with an ASCII letter in lower case: U+0130, U+212A
    {{"İzmir 300 \u212A"}, "i\u0307zmir 300 k", 0.56234132519034907, 1, 1, 1},
    // white space outside ASCII
    {{"東京\u3000は a\u00A0b\u2003c 日本"},
     "東京 は a b c\u2028日本 d",
     0.80910671157022118,
     0.75,
     1,
     0.8571428571428571},
};

}  // namespace assay::overlap
