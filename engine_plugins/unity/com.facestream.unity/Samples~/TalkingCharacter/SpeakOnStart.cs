using Facestream;
using UnityEngine;

/// <summary>Lets a character say a line as soon as the scene begins, and again on every key.</summary>
[RequireComponent(typeof(FacestreamSpeech))]
public sealed class SpeakOnStart : MonoBehaviour
{
    [SerializeField]
    private AudioClip line;

    private FacestreamSpeech _speech;

    private void Start()
    {
        _speech = GetComponent<FacestreamSpeech>();
        _speech.Speak(line);
    }

    private void Update()
    {
        if (Input.anyKeyDown && !_speech.IsSpeaking)
        {
            _speech.Speak(line);
        }
    }
}
